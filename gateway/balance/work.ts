/** What a request will cost a replica, as far as the request itself tells. Policies and signals see this and nothing else of it. */
export interface Work {
  /** Items to compute: the first dimension of the first input tensor, or 1 where the protocol has none. */
  readonly rows: number;
}
