import type { Approval } from '../approvals/approval.entity.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type CliContext } from './command.js';

/** Something that another person has to approve: its id for a program, and what to do for people. */
export function printRequest({ id, summary }: Approval, { out, note }: CliContext): void {
  out(id);
  note(`Not done yet: ${summary}. Within 30 minutes another person: quartermaster approvals approve ${id}`);
}

/** @throws CommandFailure for a reason that says nothing */
export function reasonIn(text: string): string {
  if (text.trim().length < 3) throw new CommandFailure('Say in a few words why.', EXIT.usage);
  return text.trim();
}
