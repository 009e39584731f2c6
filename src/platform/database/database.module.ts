import { Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DatabaseReadiness } from './readiness.service.js';

/** Gives everybody the data source that the composition root made; who made it closes it. */
@Module({})
export class DatabaseModule {
  static of(db: DataSource): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [{ provide: DataSource, useValue: db }, DatabaseReadiness],
      exports: [DataSource, DatabaseReadiness],
    };
  }
}
