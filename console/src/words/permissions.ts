// What permissions are called in Chinese; in English their own names do. Loaded by who shows them.
import type { Language } from '.'

const CHINESE: Record<string, string> = {
  accounts: '服务账户',
  configuration: '配置字典',
  gateway: '网关',
  grayscale: '灰度发布',
  members: '成员',
  network: '网络策略',
  projects: '项目',
  roles: '角色',
  routes: '应用路由',
  secrets: '保密字典',
  services: '服务',
  settings: '设置',
  volumes: '存储卷',
  workloads: '工作负载',
}

export const permissionName = (name: string, language: Language): string => (language === 'zh' && CHINESE[name]) || name
