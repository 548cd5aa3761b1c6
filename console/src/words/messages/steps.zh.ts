// What is done with a request on its way, in Chinese.
import type { Catalogue } from '../sentences'

export const STEPS: Catalogue = [
  ['redirect http to https ({}) where the host has a certificate', '域名有证书时，将 http 重定向到 https（{1}）'],
  ['redirect http to https ({})', '将 http 重定向到 https（{1}）'],
  ['replace every {=} by {=}', '将所有 {1} 替换为 {2}'],
  ['rewrite prefix {=} to {=}', '将前缀 {1} 重写为 {2}'],
  ['rewrite to {=}', '路径重写为 {1}'],
  ['rewrite {=} to {=}', '将匹配 {1} 的路径重写为 {2}'],
  ['Host: {=}', 'Host 设为 {1}'],
  ['bodies up to {} bytes', '请求体上限 {1} 字节'],
  ['request header {=} set to {=}', '请求头 {1} 设为 {2}'],
  ['request header {=}: {=} added', '添加请求头 {1}: {2}'],
  ['request header {=} removed', '移除请求头 {1}'],
  ['response header {=} set to {=}', '响应头 {1} 设为 {2}'],
  ['response header {=}: {=} added', '添加响应头 {1}: {2}'],
  ['response header {=} removed', '移除响应头 {1}'],
  ['Strict-Transport-Security: {=}', 'HSTS：Strict-Transport-Security: {1}'],
  ['CORS for {} origins', '允许 {1} 个来源跨域访问（CORS）'],
  ['fault: {} delayed by {} ms, {} answered {}', '故障注入：{1} 的请求延迟 {2} 毫秒，{3} 的请求返回 {4}'],
  ['fault: {} delayed by {} ms', '故障注入：{1} 的请求延迟 {2} 毫秒'],
  ['fault: {} answered {}', '故障注入：{1} 的请求返回 {2}'],
  ['a copy of {} to nobody', '镜像 {1} 的请求，但没有目标'],
  ['a copy of {} to {}', '将 {1} 的请求镜像到 {2}'],
  ['answers {} give way to those of {}', '状态码为 {1} 的响应由 {2} 代为返回'],
]
