import type { LoadSignal, Ticket } from '../signal.ts';

// The board counts what is in flight for every replica whatever the signal, so that this one has nothing to keep.
const emptyTicket: Ticket = { report: () => {}, firstByte: () => {}, settle: () => {} };

/** The price of a replica is the number of requests it would then have in flight. */
export const outstanding: LoadSignal = {
  name: 'outstanding',
  unit: 'requests',
  newMeter: ({ slot }) => ({ costOf: () => slot.inFlight + 1, begin: () => emptyTicket }),
};
