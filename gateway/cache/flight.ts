import { asGatewayError, GatewayError } from '../kernel/errors.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { HeaderList } from '../pipeline/headers.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Serve } from '../pipeline/stage.ts';
import { begin, FlightMember, type MemberObserver } from './flight-member.ts';
import type { FlightParts } from './flight-parts.ts';
import { FlightWork } from './flight-work.ts';
import type { CacheKey } from './key.ts';
import { type Ended, SharedBody } from './shared-body.ts';
import { whyNotShared } from './storable.ts';

/** So often the same is begun, one flight after the other: for the first, and where that dies, for one or two of those who wait. */
const mostAttempts = 3;

/**
 * One computation and those who wait for it. It goes on by itself as long as anybody is left. Where it dies, and not by a failure that the next one
 * would meet as well, those who wait have another one.
 */
export class Flight implements MemberObserver {
  readonly key: CacheKey;
  /** Of those that were begun one after the other since each died. */
  readonly attempt: number;
  readonly #parts: FlightParts;
  readonly #members = new Set<FlightMember>();
  /** For whom it is computed; null where nobody asked. */
  #owner: FlightMember | null = null;
  #work: FlightWork | null = null;
  /** Wanted though nobody waits for it. */
  #isWanted = false;
  #reply: Reply | null = null;
  #body: SharedBody | null = null;

  constructor(key: CacheKey, attempt: number, parts: FlightParts) {
    this.key = key;
    this.attempt = attempt;
    this.#parts = parts;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** Begins it for an exchange. Resolves at the head of its answer. */
  lead(exchange: Exchange, next: Serve): Promise<Reply> {
    const member = this.#admit(exchange, next);
    this.#launch(exchange, next, member);
    return member.reply;
  }

  /** The same answer for another one. */
  join(exchange: Exchange, next: Serve): Promise<Reply> {
    const member = this.#admit(exchange, next);
    this.#work?.exchange.prolongTo(exchange.deadlineMs);
    if (this.#reply !== null && this.#body !== null) this.#seat(member, this.#reply, this.#body);
    return member.reply;
  }

  /** Begins it for nobody: it goes on to its end, whoever joins and leaves. */
  leadForNobody(exchange: Exchange, next: Serve): void {
    this.#isWanted = true;
    this.#launch(exchange, next, null);
  }

  /** Ends it for all. */
  cut(error: GatewayError): void {
    this.#work?.cancel(error);
  }

  get #isDeserted(): boolean {
    return this.#members.size === 0 && !this.#isWanted;
  }

  #admit(exchange: Exchange, next: Serve): FlightMember {
    const member = new FlightMember(exchange, next, this.#parts.clock.nowMs(), this);
    this.#members.add(member);
    this.#parts.counts.members += 1;
    return member;
  }

  #launch(exchange: Exchange, next: Serve, owner: FlightMember | null): void {
    const work = new FlightWork(exchange, owner?.exchange.deadlineMs ?? Number.POSITIVE_INFINITY, this.#parts.room);
    // Who is not here to wait for it has its request no longer.
    if (owner === null) work.beRefresh();
    this.#work = work;
    this.#owner = owner;
    this.#parts.counts.underWay += 1;
    work.run(next).then(
      (reply) => this.#answered(work, reply),
      (thrown) => this.#failed(work, asGatewayError(thrown)),
    );
  }

  #answered(work: FlightWork, reply: Reply): void {
    work.forgetRequest();
    this.#expireMembers();
    const isFailure = reply.status >= 400;
    if (isFailure && (work.isCutShort(this.#parts.clock.nowMs()) || this.#wasHurried(work, reply))) this.#handOver();
    const isShared = isFailure || whyNotShared(reply.status, reply.headers) === null;
    if (!isShared) this.#sendOthersOn();
    if (this.#isDeserted) {
      reply.body.discard();
      this.#parts.onClosed(this);
      this.#computed(work);
      return;
    }
    if (isFailure) this.#parts.onClosed(this);
    this.#share(reply, isShared && !isFailure);
  }

  #share(reply: Reply, isJoinable: boolean): void {
    const { room, maxBytes } = this.#parts;
    const { sizeBytes } = reply.body;
    const body = new SharedBody({ room, maxBytes, sizeBytes, isJoinable, isWanted: this.#isWanted, observer: this });
    this.#reply = reply;
    this.#body = body;
    for (const member of this.#members) this.#seat(member, reply, body);
    try {
      reply.body.pump(body);
    } catch (fault) {
      this.#giveUp(asGatewayError(fault));
    }
  }

  /** Gives somebody who waits the head of the answer, and a body to read. */
  #seat(member: FlightMember, { status, headers, source }: Reply, body: SharedBody): void {
    member.reader = body.newReader(member);
    this.#tell(member);
    // Each has a list of headers to add to; what was set for one is not for the others.
    if (member === this.#owner) {
      member.answer({ status, headers: [...headers], source, body: member.reader });
      return;
    }
    const given: Reply = { status, headers: withoutCookies(headers), source: 'flight', body: member.reader };
    try {
      member.answer(status === 200 ? this.#parts.render(given, member.exchange) : given);
    } catch (fault) {
      member.fail(asGatewayError(fault));
      member.reader.discard();
    }
  }

  /** The answer is for nobody but whom it was computed for: all others go on by themselves, beside each other. */
  #sendOthersOn(): void {
    this.#parts.onUnshareable(this);
    this.#isWanted = false;
    for (const member of this.#members) {
      if (member === this.#owner) continue;
      this.#letGo(member);
      member.answer(begin(member.next, member.exchange));
    }
  }

  #failed(work: FlightWork, error: GatewayError): void {
    work.forgetRequest();
    this.#computed(work);
    this.#parts.onClosed(this);
    if (error.code === 'internal' || work.isCancelled || work.isCutShort(this.#parts.clock.nowMs())) {
      this.#expireMembers();
      this.#handOver();
    }
    for (const member of this.#members) {
      this.#tell(member);
      this.#letGo(member);
      member.fail(error);
    }
  }

  /** It may have failed for want of time, which others have: upstream was told of the time that it was begun with. */
  #wasHurried({ begunUntilMs }: FlightWork, { status }: Reply): boolean {
    if (status !== 408 && status !== 503 && status !== 504) return false;
    return [...this.#members].some(({ exchange }) => exchange.deadlineMs > begunUntilMs);
  }

  /** Those whose deadline has passed leave: alarms ring up to one tick late. */
  #expireMembers(): void {
    for (const { exchange } of this.#members) exchange.expire(this.#parts.clock);
  }

  /** It has died: all but whom it was computed for have another one, unless that was so often enough. The one that waits longest is the first of them. */
  #handOver(): void {
    if (this.attempt === mostAttempts) return;
    const heirs = [...this.#members].filter((member) => member !== this.#owner);
    for (const heir of heirs) this.#letGo(heir);
    this.#parts.onDied(
      this,
      heirs.toSorted((one, other) => other.exchange.deadlineMs - one.exchange.deadlineMs),
    );
  }

  /** For its members only. */
  left(member: FlightMember, reason: GatewayError): void {
    this.#tell(member);
    this.#letGo(member);
    if (member.reader === null) member.fail(reason);
    else member.reader.stop({ how: 'abandoned', why: reason });
    if (this.#isDeserted) this.#giveUp(reason);
    else if (member === this.#owner && this.#reply === null) this.#work?.holdRequest();
  }

  /** For its members only. */
  hasRead(member: FlightMember, { why }: Ended): void {
    if (!this.#members.has(member)) return;
    this.#tell(member);
    this.#letGo(member);
    if (this.#isDeserted) this.#giveUp(why);
  }

  /** For its body only. */
  outgrown(isTooLarge: boolean): void {
    if (isTooLarge) this.#parts.onUnshareable(this);
    else this.#parts.onClosed(this);
  }

  /** For its body only. */
  bodyEnded(): void {
    this.#parts.onClosed(this);
    if (this.#work !== null) this.#computed(this.#work);
  }

  #tell(member: FlightMember): void {
    if (this.#work !== null) member.learnFrom(this.#work.exchange, this.#parts.clock.nowMs(), member === this.#owner);
  }

  #letGo(member: FlightMember): void {
    this.#members.delete(member);
    this.#parts.counts.members -= 1;
    member.letGo();
  }

  /** Ends what is still under way. */
  #giveUp(why?: GatewayError): void {
    if (!this.#work?.isUnderWay) return;
    this.#parts.onClosed(this);
    const reason = why ?? new GatewayError('client_left', 'nobody takes the answer any more');
    this.#work.cancel(reason);
    this.#body?.end('abandoned', reason);
  }

  #computed(work: FlightWork): void {
    work.end();
    this.#parts.counts.underWay -= 1;
    this.#parts.onComputed(this);
  }
}

function withoutCookies(headers: HeaderList): HeaderList {
  return headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== 'set-cookie');
}
