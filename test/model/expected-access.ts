/** Where an event stands in its source's time. */
export interface Position {
  at: number;
  sequence: number;
}

export type StoryKind = 'joined' | 'changed' | 'left' | 'cancelled';

/** What an HR system tells. Events with the same `body` are the same event under different ids. */
export interface Story extends Position {
  kind: StoryKind;
  employee: string;
  body: string;
  department: string;
  /** `left`: when access ends; null: at once. */
  endsAt: number | null;
}

export type StoryOutcome = 'applied' | 'duplicate' | 'outdated' | 'held';

interface ExpectedEmployment {
  department: string;
  endsAt: number | null;
  /** The newest place in time that counts: of an event that was applied, or is held for a person. */
  newest: Position;
}

/**
 * The small, obvious model: what one person ought to have, told by nothing but the history of decisions about them. It
 * knows no steps, no workers and no tools. Access = the policy's for the employments that stand, unless the person is
 * gone or a loss isn't over.
 */
export class ExpectedAccess {
  private readonly employments = new Map<string, ExpectedEmployment | { newest: Position }>();
  private readonly seen = new Map<string, Set<string>>();
  private readonly losses = new Set<string>();
  private begun = false;
  private gone = false;

  tell(story: Story, now: number): StoryOutcome {
    this.comeTo(now);
    const known = this.employments.get(story.employee);
    const bodies = this.seen.get(story.employee) ?? new Set();
    this.seen.set(story.employee, bodies);
    const before = bodies.has(story.body);
    bodies.add(story.body);
    if (known) {
      const later = story.at - known.newest.at || story.sequence - known.newest.sequence;
      if (later < 0) return 'outdated';
      if (later === 0) return before ? 'duplicate' : 'held';
    }
    return this.apply(story, known && 'department' in known ? known : undefined, now);
  }

  private apply(story: Story, employment: ExpectedEmployment | undefined, now: number): StoryOutcome {
    const newest = { at: story.at, sequence: story.sequence };
    const hold = (): StoryOutcome => {
      this.employments.set(story.employee, { ...employment, newest });
      return 'held';
    };
    // What has ended begins again by a new join, and by nothing else.
    const isOver = employment != null && employment.endsAt !== null && employment.endsAt <= now;
    switch (story.kind) {
      case 'joined':
        this.employments.set(story.employee, { department: story.department, endsAt: null, newest });
        this.begun = true;
        this.gone = false;
        return 'applied';
      case 'changed':
        this.employments.set(story.employee, {
          department: story.department,
          endsAt: employment?.endsAt ?? null,
          newest,
        });
        if (!employment) [this.begun, this.gone] = [true, false];
        return 'applied';
      case 'left':
        if (!employment || (isOver && (story.endsAt ?? 0) > now)) return hold();
        this.employments.set(story.employee, { ...employment, endsAt: story.endsAt ?? now, newest });
        this.comeTo(now);
        return 'applied';
      case 'cancelled':
        if (!employment || isOver) return hold();
        this.employments.set(story.employee, { ...employment, endsAt: null, newest });
        return 'applied';
    }
  }

  /** Ends whose instant has come: with the last employment the person is gone. */
  comeTo(now: number): void {
    if (this.begun && !this.gone && this.departments(now).length === 0) this.gone = true;
  }

  leaveNow(now: number): void {
    this.comeTo(now);
    this.gone = true;
  }

  lose(loss: string): void {
    this.losses.add(loss);
  }

  giveBack(loss: string): void {
    this.losses.delete(loss);
  }

  get isHeld(): boolean {
    return this.gone || this.losses.size > 0;
  }

  get hasLeft(): boolean {
    return this.gone;
  }

  /** In which departments the person works now, whether or not anything holds them. */
  departments(now: number): string[] {
    return [...this.employments.values()].flatMap((one) =>
      'department' in one && (one.endsAt === null || one.endsAt > now) ? [one.department] : [],
    );
  }

  /** The departments whose access the person should have now. */
  entitledBy(now: number): string[] {
    this.comeTo(now);
    return this.begun && !this.isHeld ? this.departments(now) : [];
  }
}
