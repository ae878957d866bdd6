"""portaudit: what stops PyTorch/CUDA training code from moving to AWS Trainium."""

from __future__ import annotations

__version__ = "0.1.0"
