"""Problems whose posterior is known: how far every sampler's samples are from it, and what diversity costs there."""
