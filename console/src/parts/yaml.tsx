// The YAML editor: CodeMirror, in a chunk of its own, loaded on use.
import { useEffect, useRef } from 'react'
import { autocompletion, completionKeymap, type CompletionContext } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, defaultHighlightStyle, foldGutter, HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, linter, type Diagnostic } from '@codemirror/lint'
import { unifiedMergeView } from '@codemirror/merge'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { EditorState, type Extension } from '@codemirror/state'
import { EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { parseDocument, stringify } from 'yaml'
import { doubts, suggestions, type Schemas } from '../forms/schema'
import { cspNonce } from '../shell/nonce'
import { useShade } from '../shell/theme'
import { useWords, type Say } from '../words'

interface Props {
  label: string
  /** Text, or an object that is shown as text. */
  value: string | object
  readOnly?: boolean
  /** What it is compared with. */
  against?: string
  schemas?: Schemas | null
  onChange?: (text: string) => void
}

export default function Yaml({ label, value, readOnly = false, against, schemas, onChange }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const changed = useRef(onChange)
  changed.current = onChange
  const { shade } = useShade()
  const { t, language } = useWords()
  const text = typeof value === 'string' ? value : stringify(value)
  const view = useRef<EditorView | null>(null)
  useEffect(() => {
    if (!place.current) return
    const told = EditorView.updateListener.of((update) => void (update.docChanged && changed.current?.(update.state.doc.toString())))
    const extensions: Extension[] = [base(label, shade === 'dark'), EditorState.readOnly.of(readOnly), EditorView.editable.of(!readOnly), told]
    if (!readOnly) extensions.push(linter((view) => problems(view, schemas ?? null, t)), lintGutter(), autocompletion({ override: [(context) => complete(context, schemas ?? null)] }))
    if (against !== undefined) extensions.push(unifiedMergeView({ original: against, mergeControls: false, gutter: true, collapseUnchanged: { margin: 4 } }))
    const doc = view.current && !readOnly ? view.current.state.doc : text
    const made = new EditorView({ parent: place.current, state: EditorState.create({ doc, extensions }) })
    // Whoever has no mouse scrolls it, too.
    made.scrollDOM.tabIndex = 0
    view.current = made
    return () => made.destroy()
  }, [shade, readOnly, against, schemas, label, language])
  useEffect(() => {
    const now = view.current
    if (now && now.state.doc.toString() !== text && (readOnly || !now.hasFocus)) now.dispatch({ changes: { from: 0, to: now.state.doc.length, insert: text } })
  }, [text, readOnly])
  return <div ref={place} className="editor" />
}

function base(label: string, dark: boolean): Extension {
  return [
    EditorView.cspNonce.of(cspNonce),
    lineNumbers(),
    foldGutter(),
    history(),
    bracketMatching(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    EditorView.lineWrapping,
    yaml(),
    syntaxHighlighting(dark ? DARK : LIGHT),
    syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
    keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
    EditorView.contentAttributes.of({ 'aria-label': label }),
    EditorView.theme(LOOK, { dark }),
  ]
}

const LOOK = {
  '&': { backgroundColor: 'var(--card)', color: 'var(--ink)', fontSize: '13px', borderRadius: '10px', overflow: 'hidden', border: '1px solid var(--line)', maxHeight: '68vh' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.65' },
  '.cm-gutters': { backgroundColor: 'var(--card)', color: 'var(--faint)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--jade) 6%, transparent)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line)', color: 'var(--ink)' },
}

const colors = (key: string, string: string, number: string, comment: string) =>
  HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: key },
    { tag: [tags.string, tags.special(tags.string)], color: string },
    { tag: [tags.number, tags.bool, tags.null], color: number },
    { tag: tags.comment, color: comment, fontStyle: 'italic' },
    { tag: [tags.separator, tags.punctuation], color: comment },
  ])
const LIGHT = colors('#0b6e5b', '#7a3e00', '#1d4ed8', '#5d6b68')
const DARK = colors('#4fd4b4', '#f0b67f', '#8ab4ff', '#9fadaa')

/** What is no YAML is wrong; what the description does not know is doubtful, and the API decides. */
function problems(view: EditorView, schemas: Schemas | null, t: Say): Diagnostic[] {
  const text = view.state.doc.toString()
  const document = parseDocument(text)
  const within = (at: number) => Math.min(at, text.length)
  const errors = document.errors.map((error): Diagnostic => ({ from: within(error.pos[0]), to: within(Math.max(error.pos[1], error.pos[0])), severity: 'error', message: error.message.split('\n')[0] ?? '' }))
  if (errors.length > 0 || !schemas) return errors
  return doubts(schemas, document).map(({ from, to, reason, what, wanted }) => ({ from: within(from), to: within(to), severity: 'warning', message: t(`yaml.${reason}`, { what, wanted }) }))
}

function complete(context: CompletionContext, schemas: Schemas | null) {
  const word = context.matchBefore(/[\w.-]*/)
  if (!schemas || !word || (word.from === word.to && !context.explicit)) return null
  const options = suggestions(schemas, context.state.doc.sliceString(0, word.from)).map(({ name, type, about }) => ({ label: name, detail: type, info: about, apply: type === 'object' || type === 'array' ? `${name}:` : `${name}: ` }))
  return options.length > 0 ? { from: word.from, options } : null
}
