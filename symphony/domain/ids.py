"""Typed identifiers, so that a run's id cannot be passed where an artifact's is meant."""

from typing import NewType

BufferId = NewType("BufferId", str)
"""Names an open buffer; the absolute path of its file."""

ArtifactId = NewType("ArtifactId", str)
"""The content's address: `sha256:` and 64 hexadecimal digits."""

RunId = NewType("RunId", str)
"""Names one run of a melody; chosen by whoever submits it, so that a repeated submission is the same run."""

StepId = NewType("StepId", str)
"""Names a step within its workflow."""

DecisionId = NewType("DecisionId", str)
"""Names one decision of the Conductor."""

LeaseId = NewType("LeaseId", str)
"""Names one lease of a model."""

ExtensionId = NewType("ExtensionId", str)
"""Names an extension, as its manifest does: `publisher.name`."""
