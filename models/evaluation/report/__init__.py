"""An evaluation as one HTML file to look at: no scripts, nothing loaded from elsewhere."""

from models.evaluation.report.page import Report, report_page
from models.evaluation.report.pictures import Picture, read_pictures

__all__ = ["Picture", "Report", "read_pictures", "report_page"]
