"""FER-2013 from Kaggle, for those who have credentials. Runs on the driver."""

from pathlib import Path

from study import Mistake

HANDLES = ("msambare/fer2013", "deadskull7/fer2013")  # the folder copy, the table


def download() -> Path:
    """The folder to which kagglehub downloaded FER-2013, for those who have credentials."""
    import kagglehub  # here, since workers import this module and never download
    from kagglehub import config, exceptions

    browser = f"or get https://www.kaggle.com/datasets/{HANDLES[0]} with a browser and give its zip"
    try:
        credentials = config.get_kaggle_credentials()
    except ValueError as error:  # a kaggle.json that isn't one
        raise Mistake(
            f"{error}; expected the file of Kaggle's settings: put it right, {browser}"
        ) from error
    if not credentials:
        raise Mistake(
            "no Kaggle credentials were found; expected an API token of kaggle.com/settings in "
            f"KAGGLE_API_TOKEN or ~/.kaggle/access_token: put one there, {browser}"
        )
    refusals = []
    for handle in HANDLES:
        try:
            return Path(kagglehub.dataset_download(handle))
        except (
            OSError,
            exceptions.BackendError,
            exceptions.DataCorruptionError,
            exceptions.NotFoundError,
            exceptions.UnauthenticatedError,
        ) as error:
            refusals.append(f"{handle}: {str(error).partition(chr(10))[0]}")
    raise Mistake(
        f"Kaggle gave neither data set ({'; '.join(refusals)}); check the network and the "
        f"credentials, {browser}"
    )
