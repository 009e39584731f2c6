import { Injectable } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { describeApi } from './describe-api.js';

/** Holds the description of the running application, which only exists once the application does. */
@Injectable()
export class ApiDescription {
  private app: INestApplication | null = null;
  private described: OpenAPIObject | null = null;

  describe(app: INestApplication): void {
    this.app = app;
  }

  document(): OpenAPIObject {
    if (!this.app) throw new Error('describe(app) comes before the first request');
    return (this.described ??= describeApi(this.app));
  }
}
