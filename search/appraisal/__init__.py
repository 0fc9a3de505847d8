"""Scores over several tasks and learning rates: what a function is worth when it is treated fairly.

At one learning rate, on one task, a search finds scale and early speed. So a candidate is compared,
on each task, with the best baseline there, both at their own best rates and with the same seeds;
differences are measured in the spread of the baselines, so that no task drowns another; and what
candidates are ranked by is an aggregate of those.
"""

from search.appraisal.appraiser import Appraiser
from search.appraisal.course import Course, courses_of
from search.appraisal.watch import Watch, watch_course
from search.appraisal.yardstick import Yardstick

__all__ = ["Appraiser", "Course", "Watch", "Yardstick", "courses_of", "watch_course"]
