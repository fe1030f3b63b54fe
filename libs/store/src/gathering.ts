/** Who asked, until there is an answer. */
interface Waiting<Question, Answer> {
  question: Question;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * Questions that are asked a little later, all of them together, because being woken costs more than what is done then.
 * Only for what nobody is in a hurry for.
 */
export class Gathering<Question, Answer> {
  private waiting: Waiting<Question, Answer>[] = [];

  /**
   * @param forMs how long after the first question, in milliseconds
   * @param askAll has one answer for each question, in their order; rejects for all of them
   */
  constructor(
    private readonly forMs: number,
    private readonly askAll: (questions: Question[]) => Promise<Answer[]>,
  ) {}

  ask(question: Question): Promise<Answer> {
    if (this.waiting.length === 0) setTimeout(() => void this.settle(), this.forMs);
    return new Promise((resolve, reject) => this.waiting.push({ question, resolve, reject }));
  }

  private async settle(): Promise<void> {
    const asked = this.waiting;
    this.waiting = [];
    try {
      const answers = await this.askAll(asked.map(({ question }) => question));
      asked.forEach(({ resolve }, i) => resolve(answers[i]!));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
