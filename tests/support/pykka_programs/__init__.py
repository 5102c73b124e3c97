"""Programs written for Pykka, which run on it and on the runtime by a change of the base class."""
