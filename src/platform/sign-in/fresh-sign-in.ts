/** For so long after somebody proved who they are it counts as fresh. */
export const FRESH_MINUTES = 10;
