"""Raspberry Pi Pico, with an MPU6050 on GP4 and GP5 and a button from GP15 to ground. Not yet tried on a real one."""

NAME = "Raspberry Pi Pico"
LED = 25
LED_ON = 1
BUTTON = 15
ADC = 26
I2C_ID = 0
SCL = 5
SDA = 4
RELAY = 16
SERVO = 17
MOTION_INT = 14  # the motion sensor's interrupt output
SOUND = 13  # digital output of a sound switch (KY-037): 1 while it is loud
MIC_ID = 0  # I2S microphone (INMP441)
MIC_SCK = 18
MIC_WS = 19
MIC_SD = 20
