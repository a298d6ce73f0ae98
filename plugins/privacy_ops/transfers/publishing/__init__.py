"""What a run of the transfer inventory leaves behind: files, a report, and the record of who stood behind it."""
