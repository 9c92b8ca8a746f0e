import { useRoute } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import { onMounted, watch } from 'vue'

// Pages in Chinese say so to screen readers, to the browser that breaks their lines, and to translators.
export default {
  extends: DefaultTheme,
  setup() {
    const route = useRoute()
    const say = () => {
      globalThis.document.documentElement.lang = /zh-CN(\.html)?$/.test(route.path) ? 'zh-CN' : 'en'
    }
    onMounted(() => {
      watch(() => route.path, say, { immediate: true, flush: 'post' })
    })
  },
}
