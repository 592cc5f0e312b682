# SPDX-License-Identifier: BSD-2-Clause
"""Host-side tools of Socle."""
