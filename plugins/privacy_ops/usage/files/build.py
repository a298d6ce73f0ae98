"""All files of a pack from its content: a function of the content and the key, and of nothing else."""

from __future__ import annotations

from privacy_ops.usage.files import csv_file, csvw, data_package, dictionary, parquet_file, readme, report, sums
from privacy_ops.usage.files.columns import columns, written
from privacy_ops.usage.files.model import PackContent

CSVW, DATA_PACKAGE, DICTIONARY = "csv-metadata.json", "datapackage.json", "DATA_DICTIONARY.md"
README, REPORT = "README.md", "report.html"


def build(content: PackContent, signer: sums.Signer) -> dict[str, bytes]:
    """Bytes by file name, sorted by name.

    Names come from the specs alone. Raises ValueError for content whose keys cannot be told apart in a file.
    """
    files: dict[str, bytes] = {}
    for table in content.tables:
        layout, rows = columns(table.spec), written(table, content.method_version)
        files[f"{table.spec.name}.csv"] = csv_file.write(layout, rows)
        files[f"{table.spec.name}.parquet"] = parquet_file.write(layout, rows)
    files[CSVW] = csvw.write(content)
    files[DATA_PACKAGE] = data_package.write(content, files)
    files[DICTIONARY] = dictionary.write(content)
    files[README] = readme.write(content, sums.fingerprint(signer.public_key))
    files[REPORT] = report.write(content)
    files[sums.SIGNERS] = sums.allowed_signers(signer.public_key)
    files[sums.SUMS] = sums.write(files)
    files[sums.SIGNATURE] = sums.sign(files[sums.SUMS], signer)
    return dict(sorted(files.items()))
