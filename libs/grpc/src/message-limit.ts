/** The largest message of a call, encoded; the same over the network and within the process. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
