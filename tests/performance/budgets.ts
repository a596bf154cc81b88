/**
 * What may be sent for one piece of work. Counts are the same on every machine, times are not. A change that needs more
 * says here why; one that needs less lowers the number.
 */
export const BUDGETS = {
  /** SQL statements of one request, transaction control included. */
  statements: {
    /** Meetings with their attendees, recordings and transcripts: one statement, however many appointments. */
    W1: 1,
    W2: 1,
    W3: 1,
  },
  /** Calls of Graph, a batch being one, for 100 meetings that are over. */
  captureOf100: {
    /** 200 lists by 20 a batch, and what is new of all recordings and of all transcripts. */
    nothingThere: 12,
    /** Besides, by 20 a batch, attendance reports and who attended; and each text of a transcript by itself. */
    everythingThere: 12 + 10 + 100,
  },
} as const;
