"""Whether something exists, where reading it is not allowed: Secrets are made and never read.

The right to read a Secret cannot be told apart from the right to read what is in it, nor be given
for names that nobody knows beforehand. A create that is never carried out needs the right to create
alone, and its answer says whether the name is taken.
"""

from cybervein_operator.cluster.client import ClusterClient, Object


async def present(client: ClusterClient, manifest: Object) -> bool:
    """Whether an object of the manifest's kind and name exists.

    Raises ApiError where the question is refused, which says nothing about that: by a quota that is
    used up, or by a webhook that knows no dry run.
    """
    return await client.create(manifest, dry_run=True) is None
