/** What `doctor` has found: something is there, and not as it has to be. */
export class Finding extends Error {
  readonly advice: string;

  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}
