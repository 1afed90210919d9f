"""The kernel passes Jupyter's own suite for kernels, with samples in this language."""

import jupyter_kernel_test


class TestMicroPython(jupyter_kernel_test.KernelTests):
    kernel_name = "micropython"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "%%host\nimport sys\nprint('careful', file=sys.stderr)"
    code_generate_error = "raise ValueError('too hot')"
    code_execute_result = [{"code": "1+2+3", "result": "6"}, {"code": "'a' + 'b'", "result": "'ab'"},
                           {"code": "%%host\n6 * 7", "result": "42"}]
    code_display_data = [{"code": "%%host\nfrom IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))",
                          "mime": "text/html"}]
    code_page_something = "%%host\nimport zipfile\nzipfile?"
    code_clear_output = "%%host\nfrom IPython.display import clear_output\nclear_output()"
    completion_samples = [{"text": "isins", "matches": {"isinstance"}}, {"text": "%conn", "matches": {"%connect", "%connect_info"}}]
    complete_code_samples = ["x = 1", "print('hello')", "def f(x):\n    return x\n\n"]
    incomplete_code_samples = ["print(", "def f(x):", "for i in range(3):\n"]
    invalid_code_samples = ["x = = 1", "import"]
    code_inspect_sample = "zip"
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "search")
    code_history_sample = ["print('x')"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Connecting says which board it is; the suite expects a cell's own output only.
        cls.kc.execute_interactive("pass", timeout=60)
