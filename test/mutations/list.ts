import { cacheStages } from './cache-stages.ts';
import { caching } from './caching.ts';
import { flying } from './flying.ts';
import { rendering } from './rendering.ts';
import { sharing } from './sharing.ts';

/** A guard that is taken away, and the tests of which at least one must then fail. */
export interface Mutation {
  /** What the guard is for. */
  readonly guards: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly becomes: string;
  readonly tests: readonly string[];
}

const gates = 'test/sim/gates.test.ts';
const tries = 'test/sim/tries.test.ts';
const deadline = 'test/sim/deadline.test.ts';
const returns = 'test/sim/return.test.ts';
const clientErrors = 'test/sim/client-errors.test.ts';
const invariants = 'test/sim/invariants.test.ts';
const timeouts = 'test/sim/timeouts.test.ts';
const requestPath = 'test/sim/request-path.test.ts';
const hedging = 'test/sim/hedging.test.ts';

const leases: readonly Mutation[] = [
  {
    guards: 'a lease is released once',
    file: 'gateway/balance/lease.ts',
    text: '    this.#isHeld = false;\n',
    becomes: '',
    tests: ['test/balance/lease.test.ts'],
  },
  {
    guards: 'a released lease is in flight no more',
    file: 'gateway/balance/lease.ts',
    text: '    this.replica.slot.addInFlight(-1);\n',
    becomes: '',
    tests: [invariants],
  },
  {
    guards: 'the gate hears what came of a lease',
    file: 'gateway/balance/lease.ts',
    text: '    this.#permit.settle(evidence);\n',
    becomes: '',
    tests: [gates],
  },
  {
    guards: 'whoever waits hears of a released lease',
    file: 'gateway/balance/lease.ts',
    text: '    this.#watcher.released(this, as);\n',
    becomes: '',
    tests: [requestPath],
  },
  {
    guards: 'who leaves the line is given no lease',
    file: 'gateway/balance/dispatcher.ts',
    text: '      wish.cancellation.onCancel(waiter.refuse);\n',
    becomes: '',
    tests: [deadline],
  },
  {
    guards: 'nobody waits longer than the queue allows',
    file: 'gateway/balance/dispatcher.ts',
    text: 'wheel.arm(sinceMs + queue.waitMs, ',
    becomes: 'wheel.arm(sinceMs + 2 * queue.waitMs, ',
    tests: ['test/balance/dispatcher.test.ts'],
  },
  {
    guards: 'a wish whose deadline has passed gets no lease',
    file: 'gateway/balance/serve-line.ts',
    text: 'wish.deadlineMs <= nowMs || ',
    becomes: '',
    tests: ['test/balance/dispatcher.test.ts'],
  },
  {
    guards: 'a try that is given up ends its lease',
    file: 'gateway/stages/try-once.ts',
    text: '    this.#ifGivenUp = this.verdict;\n    body.discard();\n',
    becomes: '    this.#ifGivenUp = this.verdict;\n    void body;\n',
    tests: [tries, invariants],
  },
  {
    guards: 'an answer that is given up says what its head said',
    file: 'gateway/stages/try-once.ts',
    text: '    this.#ifGivenUp = this.verdict;\n',
    becomes: '',
    tests: [gates, tries],
  },
];

const passage: readonly Mutation[] = [
  {
    guards: 'only replicas whose gate admits are eligible',
    file: 'gateway/balance/eligible.ts',
    text: ' && replica.gate.admits',
    becomes: '',
    tests: [gates, 'test/balance/eligible.test.ts'],
  },
  {
    guards: 'a replica that rests is not eligible',
    file: 'gateway/balance/eligible.ts',
    text: "return state.standing === 'ready' && state.rest.isOver;",
    becomes: "return state.standing === 'ready';",
    tests: [gates],
  },
  {
    guards: 'with fewer than half left, outliers are asked',
    file: 'gateway/balance/eligible.ts',
    text: 'if (into.length * 2 < replicas.length && isPanic(replicas)) {',
    becomes: 'if (into.length < 0) {',
    tests: [gates],
  },
  {
    guards: 'with half left, outliers are not asked',
    file: 'gateway/balance/eligible.ts',
    text: 'if (into.length * 2 < replicas.length && isPanic(replicas)) {',
    becomes: '{',
    tests: [gates, returns],
  },
  {
    guards: 'the unreachable are never asked in a panic',
    file: 'gateway/balance/eligible.ts',
    text: "= ['outlier', 'client_errors'];",
    becomes: "= ['outlier', 'client_errors', 'unreachable'];",
    tests: [gates],
  },
  {
    guards: 'a probing gate lets one request pass',
    file: 'gateway/guard/traffic-gate.ts',
    text: "    this.#isProbed = this.#state === 'probing';\n",
    becomes: '',
    tests: [returns, gates],
  },
  {
    guards: 'a passing gate judges nothing of an earlier epoch',
    file: 'gateway/guard/traffic-gate.ts',
    text: 'if (this.#permit === permit) this.#judge(evidence);',
    becomes: 'this.#judge(evidence);',
    tests: [gates],
  },
  {
    guards: 'a probe that comes late decides nothing',
    file: 'gateway/guard/traffic-gate.ts',
    text: 'if (this.#permit === permit) this.#judgeProbe(evidence);',
    becomes: 'this.#judgeProbe(evidence);',
    tests: [gates],
  },
  {
    guards: 'a probe that says nothing gives its permit back',
    file: 'gateway/guard/traffic-gate.ts',
    text: "    if (evidence === 'none') {\n      this.#isProbed = false;\n",
    becomes: "    if (evidence === 'none') {\n",
    tests: [gates],
  },
  {
    guards: 'an answer ends a run of failures',
    file: 'gateway/guard/traffic-gate.ts',
    text: "      case 'client_error':\n        this.#run = noFailures;\n",
    becomes: "      case 'client_error':\n",
    tests: [gates],
  },
  {
    guards: 'ejections last longer and longer',
    file: 'gateway/guard/traffic-gate.ts',
    text: '2 ** this.#ejectionsInARow',
    becomes: '1',
    tests: [gates],
  },
  {
    guards: 'ejections do not last for ever',
    file: 'gateway/guard/traffic-gate.ts',
    text: 'Math.min(ejectMaxMs, ejectMs * ',
    becomes: 'Math.max(0, ejectMs * ',
    tests: [gates],
  },
  {
    guards: 'two gateways do not probe in step',
    file: 'gateway/guard/traffic-gate.ts',
    text: '(0.5 + this.#rng.next() / 2)',
    becomes: '1',
    tests: [returns, gates],
  },
  {
    guards: 'no more than half of a backend is ejected',
    file: 'gateway/guard/traffic-gate.ts',
    text: ' || !this.#fleet.mayEject(trip.cause)',
    becomes: '',
    tests: [gates],
  },
  {
    guards: 'half of a backend is no more than that',
    file: 'gateway/guard/fleet.ts',
    text: 'Math.floor(size / 2)',
    becomes: 'size',
    tests: [gates],
  },
  {
    guards: 'a share of few requests says nothing',
    file: 'gateway/guard/trip-rules.ts',
    text: 'total < rules.minRequests || ',
    becomes: '',
    tests: [gates],
  },
  {
    guards: 'errors of clients come to all replicas alike',
    file: 'gateway/guard/trip-rules.ts',
    text: ' || ownShare < timesTheSiblings * siblingsShare',
    becomes: '',
    tests: [clientErrors],
  },
  {
    guards: 'one refusal among many answers is no reason to do without a replica',
    file: 'gateway/guard/rest.ts',
    text: 'firstMs * 2 ** (this.#inARow - 1)',
    becomes: 'Number.POSITIVE_INFINITY',
    tests: [gates],
  },
  {
    guards: 'a request that is served makes forgotten what was declined before',
    file: 'gateway/balance/lease.ts',
    text: '    state.rest.served();\n',
    becomes: '',
    tests: [gates],
  },
  {
    guards: 'a replica that lets requests pass their deadlines is found out',
    file: 'gateway/stages/try-once.ts',
    text: 'const verdict = isUnanswered ? unanswered : verdictOfError(error);',
    becomes: 'const verdict = isUnanswered && patienceMs < 0 ? unanswered : verdictOfError(error);',
    tests: [clientErrors],
  },
  {
    guards: 'copies are held within the room that requests have',
    file: 'gateway/stages/mirror.ts',
    text: ' || !this.#room.take(sizeBytes)',
    becomes: '',
    tests: ['test/stages/mirror.test.ts'],
  },
  {
    guards: 'how a model is says nothing of the replica that tells it',
    file: 'gateway/upstream/classify.ts',
    text: '  if (isAboutModel) return aboutModel;\n',
    becomes: '',
    tests: ['test/stages/retry.test.ts'],
  },
  {
    guards: 'where the client is the slow one, its replica is not blamed',
    file: 'gateway/upstream/upstream-call.ts',
    text: '    if (this.#isPaused)\n      return',
    becomes: '    if (this.#isPaused && this.#sentAtMs < 0)\n      return',
    tests: ['test/upstream/upstream-call.test.ts'],
  },
  {
    guards: 'a copy that was sent is one of the tries',
    file: 'gateway/stages/hedge.ts',
    text: '    this.#spent.push(lease.replica);\n',
    becomes: '',
    tests: ['test/stages/hedge.test.ts'],
  },
  {
    guards: 'a rest has an end',
    file: 'gateway/guard/rest.ts',
    text: 'const longestMs = 8_000;',
    becomes: 'const longestMs = 8_000_000;',
    tests: ['test/guard/rest.test.ts'],
  },
  {
    guards: 'a rest lasts a moment, whatever is asked for',
    file: 'gateway/guard/rest.ts',
    text: 'const shortestMs = 500;',
    becomes: 'const shortestMs = 0;',
    tests: [gates],
  },
];

const repeats: readonly Mutation[] = [
  {
    guards: 'what must not run twice is not tried again',
    file: 'gateway/stages/retry.ts',
    text: 'choice.backend.retrying.isIdempotent || head',
    becomes: 'true || head',
    tests: [tries],
  },
  {
    guards: 'what must not run twice does not fall back',
    file: 'gateway/stages/attempt.ts',
    text: '!mayRunAgain(exchange, ended) || ',
    becomes: '',
    tests: [tries],
  },
  {
    guards: 'retries have a budget',
    file: 'gateway/stages/retry.ts',
    text: 'if (wasSent && !backend.retrying.budget.withdraw())',
    becomes: 'if (wasSent && backend.name.length === 0)',
    tests: [tries],
  },
  {
    guards: 'retries have an end',
    file: 'gateway/stages/retry.ts',
    text: 'tries < maxTries && ',
    becomes: '',
    tests: [tries],
  },
  {
    guards: 'retries go elsewhere',
    file: 'gateway/stages/retry.ts',
    text: '    spent.push(lease.replica);\n',
    becomes: '',
    tests: [tries],
  },
  {
    guards: 'a pause ends with its client',
    file: 'gateway/stages/retry.ts',
    text: '    cancellation.onCancel(stop);\n',
    becomes: '',
    tests: [tries],
  },
  {
    guards: 'a failed answer is given up before the next try',
    file: 'gateway/stages/retry.ts',
    text: '    last.drop();\n',
    becomes: '',
    tests: [tries, invariants],
  },
  {
    guards: 'a failed answer is given up before the fallback',
    file: 'gateway/stages/attempt.ts',
    text: '        ended.drop();\n',
    becomes: '',
    tests: [tries],
  },
  {
    guards: 'hedges have a budget',
    file: 'gateway/stages/hedge.ts',
    text: 'if (!hedging.budget.withdraw()) return;',
    becomes: '',
    tests: [tries],
  },
  {
    guards: 'there are no hedges where replicas are busy',
    file: 'gateway/stages/hedge.ts',
    text: 'const mostUtilisation = 0.7;',
    becomes: 'const mostUtilisation = 700;',
    tests: [hedging],
  },
  {
    guards: 'a hedge goes elsewhere',
    file: 'gateway/stages/hedge.ts',
    text: 'tryTake(this.#exchange, [notThis])',
    becomes: 'tryTake(this.#exchange, notThis.id === null ? [notThis] : [])',
    tests: [tries],
  },
  {
    guards: 'what must not run twice is not hedged, nor is class batch',
    file: 'gateway/stages/hedge.ts',
    text: 'mayHedge(exchange) ? hedging.delayMs() : null',
    becomes: 'hedging.delayMs()',
    tests: [tries],
  },
  {
    guards: 'the loser of a race is aborted',
    file: 'gateway/stages/hedge.ts',
    text: '      cancellation.cancel(new GatewayError(code',
    becomes: '      void (cancellation, new GatewayError(code',
    tests: [tries],
  },
  {
    guards: 'a probe that its hedge overtakes has failed',
    file: 'gateway/stages/hedge.ts',
    text: "startedAtMs < winner.startedAtMs ? 'overtaken'",
    becomes: "startedAtMs < winner.startedAtMs ? 'superseded'",
    tests: [gates],
  },
  {
    guards: 'time-outs count twice',
    file: 'gateway/guard/trip-rules.ts',
    text: 'length + timeouts >=',
    becomes: 'length >=',
    tests: [gates],
  },
  {
    guards: 'the end of an exchange ends both tries',
    file: 'gateway/stages/hedge.ts',
    text: '    cancellation.onCancel(pass);\n',
    becomes: '',
    tests: [tries, deadline],
  },
];

const instants: readonly Mutation[] = [
  {
    guards: 'a deadline cancels what has it',
    file: 'gateway/pipeline/exchange.ts',
    text: 'this.cancellation.cancel(deadlinePassed()));',
    becomes: 'void deadlinePassed());',
    tests: [deadline],
  },
  {
    guards: 'an answer that comes after the deadline is none',
    file: 'gateway/stages/try-once.ts',
    text: '  exchange.expire(parts.clock);\n',
    becomes: '',
    tests: [timeouts],
  },
  {
    guards: 'a cancelled exchange ends what is under way upstream',
    file: 'gateway/upstream/upstream-call.ts',
    text: '    options.cancellation.onCancel(this.#onCancel);\n',
    becomes: '',
    tests: [deadline, invariants],
  },
  {
    guards: 'a first byte that does not come ends a try',
    file: 'gateway/upstream/upstream-call.ts',
    text: '    this.#alarm.moveTo(this.#firstByteDueAtMs);\n',
    becomes: '    this.#alarm.disarm();\n',
    tests: [timeouts],
  },
  {
    guards: 'the time that is left goes upstream',
    file: 'gateway/stages/try-once.ts',
    text: 'deadlineMs === Number.POSITIVE_INFINITY ? null : deadlineMs - sentAtMs',
    becomes: 'deadlineMs === sentAtMs ? 1 : null',
    tests: [timeouts],
  },
];

const reports: readonly Mutation[] = [
  {
    guards: 'a metrics page is read once at a time, however often that is begun',
    file: 'gateway/upstream/scrape.ts',
    text: '    if (this.#cancellation !== null) return;\n',
    becomes: '',
    tests: ['test/upstream/scrape.test.ts'],
  },
  {
    guards: 'no page is read of a replica that is not ready',
    file: 'gateway/assemble-reports.ts',
    text: "state.standing === 'ready' ?",
    becomes: "state.standing !== 'starting' ?",
    tests: ['test/assemble/reports.test.ts'],
  },
  {
    guards: 'one sample that cannot be is not left out of a sum',
    file: 'gateway/upstream/dialects/dialect.ts',
    text: "if (typeof value === 'string' || value < 0) return value;",
    becomes: "if (typeof value === 'string' || value < 0) continue;",
    tests: ['test/contract/dialects.test.ts'],
  },
  {
    guards: 'a replica without a slot is taken not to know',
    file: 'gateway/upstream/report-draft.ts',
    text: '  slots: 1,\n',
    becomes: '',
    tests: ['test/upstream/load-report.test.ts'],
  },
  {
    guards: 'reports are not read where none are wanted',
    file: 'gateway/stages/try-once.ts',
    text: 'if (exchange.choice.backend.wantsReports) hear(',
    becomes: 'hear(',
    tests: ['test/stages/attempt.test.ts'],
  },
  {
    guards: 'a page that does not speak of slots says nothing against those that replies tell',
    file: 'gateway/balance/replica-state.ts',
    text: '    if (slots === null && source !== this.#slotsSource) return;\n',
    becomes: '',
    tests: ['test/balance/replica.test.ts'],
  },
];

/** The guards of leases, gates, tries, deadlines, load reports, and of what is shared and kept. */
export const mutations: readonly Mutation[] = [
  ...leases,
  ...passage,
  ...repeats,
  ...instants,
  ...reports,
  ...cacheStages,
  ...caching,
  ...rendering,
  ...sharing,
  ...flying,
];
