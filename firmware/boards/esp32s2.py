"""ESP32-S2 "S2 Mini" (LOLIN), with an MPU6050 on GPIO 33 and 35. Not yet tried on a real one."""

NAME = "ESP32-S2"
LED = 15
LED_ON = 1
BUTTON = 0  # the one marked 0
ADC = 3
I2C_ID = 0
SCL = 35
SDA = 33
RELAY = 5
SERVO = 7
MOTION_INT = 9  # the motion sensor's interrupt output
SOUND = 11  # digital output of a sound switch (KY-037): 1 while it is loud
MIC_ID = 0  # I2S microphone (INMP441)
MIC_SCK = 39
MIC_WS = 37
MIC_SD = 18
