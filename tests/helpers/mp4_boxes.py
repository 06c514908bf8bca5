"""The reader of MP4 boxes that tests use: the linter's own."""

from server.lint.boxes import Box as Box
from server.lint.boxes import ReadRun as ReadRun
from server.lint.boxes import ReadSample as ReadSample
from server.lint.boxes import boxes as boxes
from server.lint.boxes import runs as runs
