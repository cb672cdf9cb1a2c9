/** Of every token, in seconds. */
export const lifetime = 3600;
