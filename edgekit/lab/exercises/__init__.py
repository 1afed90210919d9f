"""The exercises of each lesson: one file a lesson, ``lesson_03.py`` and so on. See docs/add-an-exercise.md."""
