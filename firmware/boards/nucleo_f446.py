"""Nucleo-F446RE, with an MPU6050 on D14 and D15. Not yet tried on a real one."""

NAME = "Nucleo-F446"
LED = "PA5"  # LD2, green; also D13
LED_ON = 1
BUTTON = "PC13"  # B1, blue
ADC = "PA0"  # A0
I2C_ID = 1
SCL = "PB8"  # D15
SDA = "PB9"  # D14
RELAY = "PB5"  # D4
SERVO = "PB3"  # D3
MOTION_INT = "PA8"  # D7: the motion sensor's interrupt output
SOUND = "PA9"  # D8: digital output of a sound switch (KY-037): 1 while it is loud


def servo():
    """The pin is on channel 2 of timer 2."""
    from boards.pulses import Pulses
    return Pulses(SERVO, 50, timer=2, channel=2)
