"""ESP32-S3 development board (DevKitC-1), with an MPU6050 on GPIO 8 and 9.

Its own light is a NeoPixel, so an LED on GPIO 2 is expected. Not yet tried on a real one.
"""

NAME = "ESP32-S3"
LED = 2
LED_ON = 1
BUTTON = 0  # the one marked BOOT
ADC = 1
I2C_ID = 0
SCL = 9
SDA = 8
RELAY = 4
SERVO = 5
MOTION_INT = 6  # the motion sensor's interrupt output
SOUND = 7  # digital output of a sound switch (KY-037): 1 while it is loud
MIC_ID = 0  # I2S microphone (INMP441)
MIC_SCK = 14
MIC_WS = 13
MIC_SD = 12
