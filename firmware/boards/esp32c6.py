"""ESP32-C6 development board (DevKitC-1), with an MPU6050 on GPIO 6 and 7.

Its own light is a NeoPixel, so an LED on GPIO 15 is expected. Not yet tried on a real one.
"""

NAME = "ESP32-C6"
LED = 15
LED_ON = 1
BUTTON = 9  # the one marked BOOT
ADC = 4
I2C_ID = 0
SCL = 7
SDA = 6
RELAY = 10
SERVO = 11
MOTION_INT = 2  # the motion sensor's interrupt output
SOUND = 3  # digital output of a sound switch (KY-037): 1 while it is loud
MIC_ID = 0  # I2S microphone (INMP441)
MIC_SCK = 18
MIC_WS = 19
MIC_SD = 20
