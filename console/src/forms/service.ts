// External access ↔ a Service's type and annotations.
import type { Service } from '../api/types'
import { isShownAnnotation, readEntries, writeEntries, type Entry } from './entries'

export interface ExternalForm {
  type: 'ClusterIP' | 'NodePort' | 'LoadBalancer'
  annotations: Entry[]
}

export function readExternal({ spec, metadata }: Service): ExternalForm {
  const type = spec.type === 'NodePort' || spec.type === 'LoadBalancer' ? spec.type : 'ClusterIP'
  return { type, annotations: readEntries(metadata.annotations, isShownAnnotation) }
}

export function writeExternal(onto: Service, form: ExternalForm): Service {
  const annotations = form.type === 'LoadBalancer' ? writeEntries(onto.metadata.annotations, form.annotations, isShownAnnotation) : onto.metadata.annotations
  return { ...onto, metadata: { ...onto.metadata, ...(annotations && { annotations }) }, spec: { ...onto.spec, type: form.type } }
}
