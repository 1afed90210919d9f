"""ESP32-C3 "Super Mini", with an MPU6050 on GPIO 5 and 6. Not yet tried on a real one."""

NAME = "ESP32-C3"
LED = 8
LED_ON = 0  # the LED hangs on the supply: the low level lights it
BUTTON = 9  # the one marked BOOT
ADC = 2
I2C_ID = 0
SCL = 6
SDA = 5
RELAY = 7
SERVO = 10
MOTION_INT = 3  # the motion sensor's interrupt output
SOUND = 4  # digital output of a sound switch (KY-037): 1 while it is loud
MIC_ID = 0  # I2S microphone (INMP441)
MIC_SCK = 0
MIC_WS = 1
MIC_SD = 20
