"""Pyboard v1.1, with an MPU6050 on X9 and X10. Not yet tried on a real one."""

NAME = "Pyboard"
LED = "PB4"  # the blue one
LED_ON = 1
BUTTON = "PB3"  # USR
ADC = "PA4"  # X5
I2C_ID = 1
SCL = "PB6"  # X9
SDA = "PB7"  # X10
RELAY = "PC6"  # Y1
SERVO = "PA0"  # X1
MOTION_INT = "PC4"  # X11: the motion sensor's interrupt output
SOUND = "PC5"  # X12: digital output of a sound switch (KY-037): 1 while it is loud


def servo():
    """The pin is on channel 1 of timer 5."""
    from boards.pulses import Pulses
    return Pulses(SERVO, 50, timer=5, channel=1)
