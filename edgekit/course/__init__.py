"""How the course is made and kept whole: notebooks, exercises, data sets, models, tests."""
