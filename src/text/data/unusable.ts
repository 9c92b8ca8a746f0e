/** Reason why a line gives no example; its message becomes that of the bad line. */
export class Unusable extends Error {}
