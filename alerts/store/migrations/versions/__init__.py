"""One file a version; what has been released is not changed any more."""
