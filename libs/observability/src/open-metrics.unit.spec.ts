import { describe, expect, it } from '@jest/globals';
import { asOpenMetrics } from './open-metrics.js';
import { counter, renderMetrics } from './metrics.js';

describe('OpenMetrics', () => {
  it('declares counters without their suffix, leaves nothing blank and ends', () => {
    const text = [
      '# HELP a_total What "a" is',
      '# TYPE a_total counter',
      'a_total{x="1"} 2',
      '',
      '# HELP b Bare',
      '# TYPE b counter',
      'b 3',
      '',
      '# HELP c_seconds C',
      '# TYPE c_seconds histogram',
      'c_seconds_bucket{le="+Inf"} 1',
      '',
    ].join('\n');
    expect(asOpenMetrics(text)).toBe(
      [
        String.raw`# HELP a What \"a\" is`,
        '# TYPE a counter',
        'a_total{x="1"} 2',
        '# HELP b Bare',
        '# TYPE b counter',
        'b_total 3',
        '# HELP c_seconds C',
        '# TYPE c_seconds histogram',
        'c_seconds_bucket{le="+Inf"} 1',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('is given to who asks for it, and changes nothing for others', async () => {
    counter('rag_errors_total').inc({ type: 'REQUEST.INVALID' });
    const open = await renderMetrics('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
    expect(open.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.body).toMatch(/^# TYPE rag_errors counter\nrag_errors_total\{type="REQUEST.INVALID"\} 1$/m);
    expect(open.body.endsWith('# EOF\n')).toBe(true);
    const plain = await renderMetrics('text/plain');
    expect(plain.contentType).toMatch(/^text\/plain/);
    expect(plain.body).toMatch(/^# TYPE rag_errors_total counter$/m);
  });
});
