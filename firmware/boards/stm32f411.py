"""STM32F411 "Black Pill", with an MPU6050 on PB6 and PB7. Not yet tried on a real one."""

NAME = "STM32F411"
LED = "PC13"
LED_ON = 0  # the LED hangs on the supply: the low level lights it
BUTTON = "PA0"
ADC = "PA1"
I2C_ID = 1
SCL = "PB6"
SDA = "PB7"
RELAY = "PB0"
SERVO = "PA8"
MOTION_INT = "PB1"  # the motion sensor's interrupt output
SOUND = "PB10"  # digital output of a sound switch (KY-037): 1 while it is loud


def servo():
    """The pin is on channel 1 of timer 1."""
    from boards.pulses import Pulses
    return Pulses(SERVO, 50, timer=1, channel=1)
