"""Rows: the statements that freeze and erase them, the evidence read once more, what the law keeps."""
