"""ESP32 development board (DevKit V1 and its many copies), with an MPU6050 on GPIO 21 and 22."""

NAME = "ESP32"
LED = 2
LED_ON = 1
BUTTON = 0  # the one marked BOOT
ADC = 34
I2C_ID = 0
SCL = 22
SDA = 21
RELAY = 26
SERVO = 25
MOTION_INT = 27  # the motion sensor's interrupt output
SOUND = 33  # digital output of a sound switch (KY-037): 1 while it is loud
MIC_ID = 0  # I2S microphone (INMP441)
MIC_SCK = 14
MIC_WS = 13
MIC_SD = 32
