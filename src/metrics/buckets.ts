/** Bounds of histograms. */

/** Seconds. Answers to requests. */
export const ANSWERS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Seconds. Waits and single steps. */
export const STEPS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60, 180, 600, 1800];
/** Seconds. From an upload to what a viewer has of it. */
export const JOURNEYS = [1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300, 600, 1800, 3600, 14_400];
/** Seconds. How early, how late. */
export const MARGINS = [0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];
/** Media seconds per wall second. */
export const SPEEDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32];
