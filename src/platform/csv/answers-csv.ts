import { applyDecorators } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces } from '@nestjs/swagger';

/** The OpenAPI description of a list as a file; `CsvExports` writes it. @param list as in `people` */
export function AnswersCsv(list: string): MethodDecorator {
  return applyDecorators(
    ApiOperation({
      summary: `All of the ${list} that the list has with these filters, as a CSV file`,
      description:
        'RFC 4180, in UTF-8, with the list’s own fields as the first line; a field that you may not see is empty. Who took it is in the audit log. A file that can’t be finished is broken off: the connection ends without the end of the answer.',
    }),
    ApiProduces('text/csv'),
    ApiOkResponse({ content: { 'text/csv': { schema: { type: 'string' } } } }),
  );
}
