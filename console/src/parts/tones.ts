// How good or bad a condition is.
import type { Condition } from '../api/types'
import type { Tone } from './basics'

/** Those that are bad when they are True, as `OptionsIgnored`. */
const BAD_WHEN_TRUE = /^(Conflicted|.*Ignored|.*Degraded|NotApplied|PartiallyInvalid|OverlappingTLSConfig|InsecureFrontendValidationMode)$/
/** Said, and neither good nor bad. */
const REMARKS = ['NoEffect']

export function conditionTone({ type, status }: Condition): Tone {
  if (status === 'Unknown' || REMARKS.includes(type)) return 'quiet'
  return (status === 'True') === BAD_WHEN_TRUE.test(type) ? 'warn' : 'good'
}
