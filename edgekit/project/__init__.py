"""A project of your own: a folder that runs from the start, and the record that says what it wants and what it may cost.

>>> import tempfile
>>> project = Project.load(new("washer", tempfile.mkdtemp()))
>>> project.question, project.labels
('Is the laundry done?', ('spin', 'still', 'wash'))
"""

from edgekit.project.card import model_card, save_card
from edgekit.project.create import check_name, new
from edgekit.project.needs import Needs, needs
from edgekit.project.onboard import deploy, replay
from edgekit.project.settings import Project

__all__ = ["Project", "new", "check_name", "needs", "Needs", "model_card", "save_card", "deploy", "replay"]
