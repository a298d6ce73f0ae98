"""From the register to the recipient: one object per release, a link in a mail, receipts, downloads, recalls.

Reads the release register and the bucket of exports and changes neither: a pack of any content is delivered as it was
registered, or not at all.
"""
