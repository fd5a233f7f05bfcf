/**
 * The release of this code. It rises by one with each release, whose nodes run beside those of the release before
 * (docs/releasing.md). A node tells the others its own in the metadata of its INFO; one that tells none is of release 1.
 */
export const release = 2;
