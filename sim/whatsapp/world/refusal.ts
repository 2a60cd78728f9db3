/** An expected no to a person or a test that drives the simulator; `status` is its HTTP status. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: 400 | 404 | 409 | 413 | 422, message: string) {
    super(message);
    this.status = status;
  }
}
