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
