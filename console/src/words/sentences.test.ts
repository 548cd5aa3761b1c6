import { describe, expect, it } from 'vitest'
import { isProse, translator } from './sentences'

const tell = translator([
  ['Service `{}` does not exist, so the path answers 503', '服务 {1} 不存在，因此该路径返回 503'],
  ['Service `{}` does not exist', '服务 {1} 不存在'],
  ['Did you mean `{}`?', '您要写的是 {1} 吗？'],
  ['Write `{}`; several are separated by `,`', '请按“{1}”填写，多个用逗号分隔'],
  ['{}, so answers stay as they are', '{1}，因此响应保持原样'],
  ['{} was there first with {}', '{1} 更早使用了{2}'],
  ['this host', '此域名'],
  ['{} or {}', '{1} 或 {2}'],
  ['Write `"true"` or `"false"`', '请填写 true 或 false'],
  ['{} `{}` is gone', '{1} {2} 已不存在'],
  ['{} cannot be listened on: {*}', '无法监听 {1}：{2}'],
  ['it is in use', '它正被使用'],
  ['port {} is served', '端口 {1} 已提供服务'],
  ['listener {}: {}', '监听器 {1}：{2}'],
  ['and {} more', '另有 {1} 项'],
  ['header {} set to {=}', '{1} 设为 {2}'],
  ['{} "{}" is invalid: {}', '{1}“{2}”无效：{3}'],
  ['Required value', '此项为必填'],
  ['Invalid value: "{}": {}', '值“{1}”无效：{2}'],
  ['You may not {} {}.', '您无权对 {2} 执行 {1} 操作。'],
])

describe('a sentence', () => {
  it('keeps what is between its words, dollars and brackets too', () => {
    expect(tell('Service `demo/web` does not exist')).toBe('服务 demo/web 不存在')
    expect(tell('Service `{1}$1` does not exist')).toBe('服务 {1}$1 不存在')
    expect(tell('You may not list secrets.')).toBe('您无权对 secrets 执行 list 操作。')
  })
  it('is that with the most words of its own', () => expect(tell('Service `a/b` does not exist, so the path answers 503')).toBe('服务 a/b 不存在，因此该路径返回 503'))
  it('may hold another', () => {
    expect(tell('Service `a/b` does not exist, so answers stay as they are')).toBe('服务 a/b 不存在，因此响应保持原样')
    expect(tell('Ingress demo/a was there first with this host')).toBe('Ingress demo/a 更早使用了此域名')
  })
  it('is whole or stays as it is', () => {
    expect(tell('Something of tomorrow')).toBeUndefined()
    expect(tell('Service `a` does not exist yet')).toBeUndefined()
    expect(tell('Ingress demo/a was there first with some new thing')).toBeUndefined()
    expect(tell('port 80 of this is served')).toBeUndefined()
  })
  it('may hold the words of others where it is said so', () => {
    expect(tell('127.0.0.1:80 cannot be listened on: it is in use')).toBe('无法监听 127.0.0.1:80：它正被使用')
    expect(tell('127.0.0.1:80 cannot be listened on: Permission denied (os error 13)')).toBe('无法监听 127.0.0.1:80：Permission denied (os error 13)')
    expect(tell('header X set to a few words')).toBe('X 设为 a few words')
  })
})

describe('a problem', () => {
  it('has a field, a message and a hint', () => {
    expect(tell('spec.rules[0].http.paths[0].backend.service.name: Service `a/web` does not exist. Did you mean `wb`?')).toBe('spec.rules[0].http.paths[0].backend.service.name：服务 a/web 不存在。您要写的是 wb 吗？')
    expect(tell('metadata.annotations[nginx.ingress.kubernetes.io/x-y]: Service `a` does not exist')).toBe('metadata.annotations[nginx.ingress.kubernetes.io/x-y]：服务 a 不存在')
  })
  it('ends where the next begins, whatever a hole could hold', () => {
    expect(tell('a.b[0]: Service `x` does not exist. Write `"true"` or `"false"`')).toBe('a.b[0]：服务 x 不存在。请填写 true 或 false')
    expect(tell('a.b[0]: Service `x` is gone')).toBe('a.b[0]：Service x 已不存在')
  })
  it('is said when each part of it can be', () => {
    expect(tell('spec: Service `a/web` does not exist. Do something new')).toBeUndefined()
    expect(tell('spec: Something new. Did you mean `wb`?')).toBeUndefined()
  })
  it('may be one of several', () => {
    expect(tell('a.b: Service `x` does not exist. Write `1`; several are separated by `,`; Service `y` does not exist; and 3 more')).toBe('a.b：服务 x 不存在。请按“1”填写，多个用逗号分隔；服务 y 不存在；另有 3 项')
    expect(tell('port 80 is served; port 443 is served')).toBe('端口 80 已提供服务；端口 443 已提供服务')
    expect(tell('listener web: port 80 is served; listener tls: 0.0.0.0:443 cannot be listened on: a. b; c')).toBe('监听器 web：端口 80 已提供服务；监听器 tls：无法监听 0.0.0.0:443：a. b; c')
    expect(tell('port 80 is served; something new')).toBeUndefined()
  })
  it('is left out where a long message was cut', () => {
    const one = 'Service `demo/web` does not exist; '
    const cut = `${one.repeat(60).slice(0, 2048)}…`
    expect(tell(cut)).toBe(`${Array(58).fill('服务 demo/web 不存在').join('；')}；…`)
  })
  it('is one of a list of Kubernetes', () => {
    expect(tell('Ingress.networking.k8s.io "a" is invalid: [spec.rules[0].host: Required value, metadata.name: Invalid value: "A, b": Required value]')).toBe('Ingress.networking.k8s.io“a”无效：spec.rules[0].host：此项为必填；metadata.name：值“A, b”无效：此项为必填')
    expect(tell('X "a" is invalid: <nil>: Required value')).toBe('X“a”无效：<nil>：此项为必填')
  })
})

it('knows prose from names', () => {
  for (const prose of ['it is so', 'Service is gone', 'see the log']) expect(isProse(prose), prose).toBe(true)
  for (const name of ['Ingress demo/web', '10.0.0.1, 10.0.0.2', '`a b c`', '"some words here"', 'HTTP', 'spec.a, spec.b']) expect(isProse(name), name).toBe(false)
})
