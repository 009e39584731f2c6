import type { Command } from 'commander';
import type { INestApplicationContext } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Environment } from '../platform/config/config.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import type { Actor } from '../platform/sign-in/actor.js';

/** What a command gets to work with; a test gives its own. */
export interface CliContext {
  env: Environment;
  /** Results, for people and pipes. One line; the line's end is added. */
  out: (line: string) => void;
  /** What goes on, and errors. */
  note: (line: string) => void;
  /** The person at the terminal. */
  actor: Actor;
  /** Runs the work with a connected database and nothing else: needs DATABASE_URL only. No limits of time. */
  withDatabase: <T>(work: (db: DataSource) => Promise<T>) => Promise<T>;
  /** Runs the work with all services of the application: `services.get(ApiTokens)`. Checks the key first. */
  withServices: <T>(work: (services: INestApplicationContext) => Promise<T>) => Promise<T>;
}

/** A command is one file in this folder with one function of this shape; `commands.ts` lists it. */
export type AddCommand = (program: Command, context: CliContext) => void;

/** Ends a command with a clear sentence. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';

  /** @param message What is wrong and what to do. */
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}
