import { Controller, Get, Header, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { PinoLogger } from 'nestjs-pino';
import { z } from 'zod';
import { Config } from '../../config/config.js';
import { BrowserSessions } from '../browser-sessions.service.js';
import { originOf } from '../origin.js';
import { returnPath } from '../return-path.js';
import { giveSessionCookie, sessionTokenIn } from '../session-cookie.js';
import { barredPage, signedInPage, unansweredPage, unknownPage, wentWrongPage } from '../sign-in-pages.js';
import { Public } from '../who-may-call.js';
import { OidcProvider } from './oidc-provider.service.js';
import { OidcSignIn } from './oidc-sign-in.service.js';
import type { Outcome } from './oidc-strategy.js';
import { SignInAttempts, type Attempt } from './sign-in-attempts.service.js';

const Wish = z.object({ return: z.string().optional(), fresh: z.string().optional() });

/** The way to the OpenID provider, and back. */
@ApiExcludeController()
@Controller('sign-in/oidc')
export class OidcController {
  constructor(
    private readonly config: Config,
    private readonly provider: OidcProvider,
    private readonly attempts: SignInAttempts,
    private readonly signIn: OidcSignIn,
    private readonly sessions: BrowserSessions,
    private readonly log: PinoLogger,
  ) {}

  @Get()
  @Public()
  @Header('Cache-Control', 'no-store')
  async begin(@Query({ schema: Wish }) wish: z.infer<typeof Wish>, @Req() request: Request, @Res() response: Response) {
    if (!this.provider.settings) {
      response.redirect(303, '/sign-in');
      return;
    }
    const outcome = await this.ask(async () => {
      const { strategy } = await this.provider.discover();
      return strategy.begin(request, wish.fresh !== undefined);
    });
    if (outcome?.kind !== 'sent') {
      page(response, 503, unansweredPage(this.provider.settings.name));
      return;
    }
    const token = sessionTokenIn(request, this.config);
    const former = token === null ? null : await this.sessions.find(token);
    this.attempts.remember(response, {
      state: outcome.state,
      returnTo: returnPath(wish.return, this.config.publicUrl),
      sessionId: former?.sessionId ?? null,
    });
    response.redirect(303, outcome.url);
  }

  @Get('callback')
  @Public()
  @Header('Cache-Control', 'no-store')
  async finish(@Req() request: Request, @Res() response: Response): Promise<void> {
    const attempt = this.attempts.take(request, response);
    const outcome = attempt ? await this.cameBack(attempt, request) : null;
    if (!attempt || outcome?.kind !== 'came') {
      const reason = outcome?.kind === 'refused' ? `The provider said: ${outcome.reason}` : undefined;
      page(response, 400, wentWrongPage(reason));
      return;
    }
    const { answer } = outcome;
    const decision = await this.signIn.decide(answer, attempt.sessionId, originOf(request));
    if (decision.kind === 'unknown') return page(response, 403, unknownPage(answer.issuer, answer.subject));
    if (decision.kind === 'barred') return page(response, 403, barredPage(decision.reason));
    giveSessionCookie(response, this.config, decision.token);
    // A page, no redirect: the provider sent the browser here, so a strict cookie would stay at home on the way on.
    page(response, 200, signedInPage(decision.name, attempt.returnTo));
  }

  private async cameBack({ state }: Attempt, request: Request): Promise<Outcome | null> {
    const key = z.string().parse(state['state']);
    if (!(await this.signIn.isFirst(key))) return null;
    return this.ask(async () => (await this.provider.discover()).strategy.finish(request, state));
  }

  /** What the provider answered; null when it didn't, or not rightly. The log says why, and never what was sent. */
  private async ask(question: () => Promise<Outcome>): Promise<Outcome | null> {
    try {
      return await question();
    } catch (error) {
      this.log.warn({ err: error }, 'a sign-in through the OpenID provider failed');
      return null;
    }
  }
}

function page(response: Response, status: number, html: string): void {
  response.status(status).type('html').send(html);
}
