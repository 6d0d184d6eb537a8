"""features → scores: the forest, its placebos and what q it promises."""
